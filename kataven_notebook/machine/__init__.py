"""What the operating system gives: databases, private folders, processes and cores.

Paths, process numbers and SQL come in; open databases, private folders and counts of processors go out. It knows
nothing of calls, sound or the service, and may import nothing of the package.
"""

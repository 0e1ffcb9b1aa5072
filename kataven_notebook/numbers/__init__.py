"""What a call's speech and sound say in numbers: turns, latencies, quality, roles, parties, moments.

Recordings and speech intervals come in; plain numbers and rows go out. It may import the ground modules, `sound` and
`speech`, and knows neither the service nor pandas.
"""

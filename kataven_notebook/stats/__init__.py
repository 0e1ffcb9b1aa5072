"""What a sample says of all calls: estimates with their intervals, tests, and how many calls a question needs.

Values, with their clusters or weights, come in; estimates, intervals and p-values go out. It may import the ground
modules alone, and knows neither pandas nor calls.
"""

"""Is what surrounds a model watched: skew, freshness, changes upstream, speed, bias?"""

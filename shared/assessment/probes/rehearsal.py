"""Are code and environments tested, rehearsed and made again from files?"""

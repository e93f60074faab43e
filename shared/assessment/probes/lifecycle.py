"""Do versions keep to a life cycle, and does anybody hear of it?"""

"""Review the champion as on 12 July, as if any harm at all were too much, and surely so."""

from datetime import date

from . import module

review = module("delivery.review")

review.must_go_back = lambda excess: True
for event in review.review_champion(date(2013, 7, 12)):
    print(event.text)

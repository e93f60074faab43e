"""The live page of a running stage: what happens, who answers, how well; and buttons to play on."""

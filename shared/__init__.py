"""What all levels share: one real year of flights played day by day, the scoreboard and the assessment."""

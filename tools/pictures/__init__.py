"""`make pictures`: walk the application in a browser and keep what one sees in docs/pictures/."""

"""PostgreSQL: the server that Granary brings along, or any other one that it is pointed at."""

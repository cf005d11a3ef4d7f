"""SQL building blocks of the models."""

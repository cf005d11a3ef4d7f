"""Privacy: removing a person everywhere, and knowing one who comes back."""

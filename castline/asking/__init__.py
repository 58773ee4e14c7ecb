"""Questions: how a person names things, what is answered, and how answers leave the house."""

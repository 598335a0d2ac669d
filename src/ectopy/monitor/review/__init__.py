"""What is reviewed: an uploaded recording or a stored stream, its episodes, and what people say of its beats."""

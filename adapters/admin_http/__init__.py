"""What operators and their tools ask over HTTP: is it alive, is it ready, what has it done."""

"""One machine, one command: brings the environment, the two servers and every process up, and down again."""

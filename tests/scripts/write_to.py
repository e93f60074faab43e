"""Write to each file that comes in, a line each; print whether it could."""

import sys

for line in sys.stdin:
    try:
        with open(line.strip(), "a") as file:
            file.write("something")
        print("written", flush=True)
    except OSError as error:
        print(error.strerror, flush=True)

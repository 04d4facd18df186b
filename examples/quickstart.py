"""The first thing to run: output arrives as it is printed, from a sandbox of its own."""

import platform
import time

print(f"Hello from Python {platform.python_version()} in a sandbox.")
for number in range(1, 4):
    time.sleep(0.5)
    print(f"{number} squared is {number**2}")

"""Writes the data of sales.py: 40,000 orders, the same ones every time.

    python3 examples/make_sales.py sales.csv
"""

import csv
import random
import sys

REGIONS = ["north", "south", "east", "west"]
PRODUCTS = {"lamp": 3990, "chair": 8950, "desk": 24900, "shelf": 12900, "rug": 7450}
ORDERS = 40_000

chance = random.Random(2026)
with open(sys.argv[1], "w", newline="") as file:
    orders = csv.writer(file)
    orders.writerow(["order", "date", "region", "product", "quantity", "unit_price_cents"])
    for order in range(1, ORDERS + 1):
        product = chance.choice(list(PRODUCTS))
        date = f"2026-{chance.randint(1, 12):02}-{chance.randint(1, 28):02}"
        orders.writerow([order, date, chance.choice(REGIONS), product, chance.randint(1, 9), PRODUCTS[product]])

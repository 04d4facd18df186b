"""Reads a file of orders with pandas and prints what each region bought most of.

    python3 examples/make_sales.py sales.csv
    ./mesh run examples/sales.py --file sales.csv
"""

import pandas as pd

orders = pd.read_csv("sales.csv", parse_dates=["date"])
print(f"{len(orders):,} orders from {orders.date.min():%d %B} to {orders.date.max():%d %B %Y}", flush=True)

orders["revenue"] = orders.quantity * orders.unit_price_cents / 100
by_region = orders.groupby("region").agg(orders=("order", "count"), revenue=("revenue", "sum"))
by_product = orders.groupby(["region", "product"]).revenue.sum()
by_region["best seller"] = by_product.groupby("region").idxmax().str[1]
print(by_region.sort_values("revenue", ascending=False).to_string(float_format="{:,.2f}".format))

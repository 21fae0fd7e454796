"""Sources of USD/JPY prices: one file each; every one gives a `PriceReading`."""

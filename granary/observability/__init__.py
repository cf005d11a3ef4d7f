"""What commands tell of themselves: logs, metrics, alerts, lineage; and the way of a figure."""

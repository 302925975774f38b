"""`facematch top`: what running services do, read from their `/metrics`.

`snapshot` reads the metrics of one service, `activity` computes figures from two snapshots, `tables` shows them, and
`watch` asks several services again and again.
"""

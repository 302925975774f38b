"""Discrete-event simulation of the service: arrivals, balancer, processes with bounded queues, database, network.

Time is in seconds. The event loop is simpy's; the parts use its timeouts with callbacks, which cost a third of its
processes and allow a million requests a minute.
"""

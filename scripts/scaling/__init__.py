"""How many machines a load needs: measured figures, a sizing model, and a simulation that checks the model.

python -m scripts.scaling.measure      # writes figures.json: what this machine does
python -m scripts.scaling.model        # cores, machines, database, network for a load
python -m scripts.scaling.simulate     # the same by discrete events; validation against the measurement
python -m scripts.scaling.report       # writes the tables and plots of docs/scaling.md
"""

"""What the tests stand on: nodes as processes, and an implementation of the protocol of its own.

Nothing here shares code with the node. jose.py, issuer.py and peer.py are a second reading of the
specification, in Python, on top of python3-cryptography.
"""

"""How much of a lab is read and drawn. Beyond it things are counted, not listed."""

HOSTS = 4
CONTAINERS = 100  # of a host; a table may have as many rows
CONTAINERS_DRAWN = 24
PODS = 200
OBJECTS = 100  # of each other kind
BANDS_DRAWN = 24  # applications, and Services without one
REPLICASETS_DRAWN = 3  # of a Deployment: the new one and what it takes over from
SERVICES_EACH = 4  # of an application
LINKS_DRAWN = 400
PODS_EACH = 6  # of a ReplicaSet; more are drawn as counts
NODES_DRAWN = 12
CHIPS = 33  # of a node, three rows
LINES_EACH = 8  # ports, volumes and networks of a container
FAULTS = 12
NAME = 63  # characters, as Kubernetes bounds most names

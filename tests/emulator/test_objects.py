"""Objects in a cluster of the sandbox, by the real program: made with the cluster itself, changed in
place, and taken away with it."""

from pathlib import Path

import pytest

from .objects import GROUND, MANIFESTS, NAMESPACE, NODES, Stack

pytestmark = [
    pytest.mark.only_on("sandbox", "moto's clusters have no objects"),
    pytest.mark.usefixtures("built"),
]

STACK = GROUND + NODES + NAMESPACE + """
[kubernetes_object.settings]
cluster = "${eks_cluster.main}"

[kubernetes_object.settings.manifest]
apiVersion         = "v1"
kind               = "ConfigMap"
metadata.name      = "settings"
metadata.namespace = "shop"
data               = { COLOUR = "blue", ROLE = "${iam_role.nodes.arn}" }

[kubernetes_manifests.shop]
cluster    = "${eks_cluster.main}"
files      = ["manifests/*.yaml"]
namespace  = "shop"
depends_on = ["eks_node_group.workers"]
"""

def test_objects_are_made_with_their_cluster_changed_and_taken_away(tmp_path: Path) -> None:
    stack = Stack(tmp_path, STACK, {"web.yaml": MANIFESTS})
    made = stack.apply()
    for address in ("kubernetes_object.shop", "kubernetes_manifests.shop['Deployment/shop/web']"):
        assert address in made.stdout, made
    stack.assert_converged()

    stack.write(STACK.replace('"blue"', '"green"'))
    changed = stack.apply()
    assert "0 created, 1 changed, 0 deleted" in changed.stderr, changed
    stack.assert_converged()

    taken = stack.destroy()
    assert "15 deleted" in taken.stderr, taken
    # The log has both sides in one order.
    inside = stack.place("Delete", "/api/v1/namespaces/shop")
    assert stack.place("CreateNodegroup") < stack.place("Patch", "/apis/apps/v1/namespaces/shop/deployments/web") < inside
    assert inside < stack.place("DeleteCluster")
    # Everything is made anew: nothing of the first cluster was left that could be in the way.
    stack.apply()
    stack.assert_converged()

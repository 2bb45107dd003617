"""Which requests only read, and which samples CI takes: the reliability suites leave cases out because of them."""

import pytest
from tests.engine.points import changes_nothing
from tests.reliability import budget


@pytest.mark.parametrize(
    ("label", "reads"),
    [
        ("dynamodb.GetItem", True),
        ("dynamodb.BatchGetItem", True),
        ("dynamodb.Query", True),
        ("dynamodb.BatchWriteItem", False),
        ("dynamodb.TransactWriteItems", False),
        ("dynamodb.UpdateItem", False),
        ("s3.GetObject", True),
        ("s3.HeadObject", True),
        ("s3.PutObject", False),
        ("s3.DeleteObject", False),
        ("sqs.SendMessage", False),
        ("sqs.ReceiveMessage", False),
        ("ecr.CreateRepository", False),
        ("ecr.BatchDeleteImage", False),
        ("ecr.DescribeImages", True),
        ("sts.AssumeRole", True),
        ("kms.Encrypt", True),
        ("events.PutEvents", False),
        ("GET packs/org_a/slack/manifests/1.0.0", True),
        ("HEAD packs/org_a/slack/blobs/3f2a9c01", True),
        ("POST packs/org_a/slack/blobs/uploads/", False),
        ("PUT packs/org_a/slack/manifests/1.0.0", False),
        ("DELETE packs/org_a/slack/manifests/3f2a9c01", False),
    ],
)
def test_a_request_is_known_by_its_label_to_change_nothing(label: str, reads: bool) -> None:
    assert changes_nothing(label) == reads


@pytest.mark.parametrize("whose", ["", "upload", "delete"])
def test_a_sample_is_spread_over_all_cases_each_once(whose: str) -> None:
    sample = budget.spread(range(100), ci=10, soak=10, of_whom=whose)

    gaps = {(after - before) % 100 for before, after in zip(sample, [*sample[1:], sample[0]], strict=True)}
    assert (len(set(sample)), gaps) == (10, {10})


def test_together_the_samples_of_many_reach_every_case() -> None:
    reached = {
        case for name in range(200) for case in budget.spread(range(15), ci=3, soak=3, of_whom=str(name))
    }

    assert reached == set(range(15))

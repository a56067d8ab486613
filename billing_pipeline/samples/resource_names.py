"""Names of cloud resources, in each vendor's own shape."""

from billing_pipeline.samples.aws_products import AwsProduct
from billing_pipeline.samples.azure_products import AzureProduct
from billing_pipeline.samples.seeds import code

_HEX = "0123456789abcdef"
_PLAIN = {"instance": "i-", "volume": "vol-", "snapshot": "snap-"}
_ARN = {
    "nat": "ec2:{region}:{account}:natgateway/nat-{id}",
    "db": "rds:{region}:{account}:db:orders-{id}",
    "function": "lambda:{region}:{account}:function:resize-{id}",
    "log": "logs:{region}:{account}:log-group:/aws/lambda/{id}",
    "table": "dynamodb:{region}:{account}:table/sessions-{id}",
    "key": "kms:{region}:{account}:key/{id}",
    "task": "ecs:{region}:{account}:task/shop/{id}",
    "balancer": "elasticloadbalancing:{region}:{account}:loadbalancer/app/web/{id}",
    "topic": "sns:{region}:{account}:events-{id}",
    "queue": "sqs:{region}:{account}:jobs-{id}",
}


def aws_resource(product: AwsProduct, account_id: str, number: int) -> str:
    """Return the id or ARN of one resource; empty for metered services without one."""
    facts = f"{product.resource_kind}/{product.region}/{account_id}/{number}"
    if product.resource_kind in _PLAIN:
        return _PLAIN[product.resource_kind] + code(facts, 17, _HEX)
    if product.resource_kind == "bucket":
        return f"assets-{code(facts, 8, _HEX)}"
    if product.resource_kind in _ARN:
        text = _ARN[product.resource_kind].format(region=product.region, account=account_id, id=code(facts, 12, _HEX))
        return f"arn:aws:{text}"
    return ""


def azure_resource(product: AzureProduct, subscription: str, number: int) -> tuple[str, str]:
    """Return id and name of one resource."""
    short = code(f"{product.resource_type}/{subscription}/{number}", 6, _HEX)
    name = f"{product.resource_type.split('/')[0].lower()[:6]}-{short}"
    kind = product.resource_type.lower()
    return f"{subscription}/resourcegroups/rg-prod/providers/microsoft.{_provider(product)}/{kind}/{name}", name


def _provider(product: AzureProduct) -> str:
    return product.category.split(" ", maxsplit=1)[0].lower()

"""AWS products of the sample world: real service and usage type names, list prices of the usual order of size."""

# ruff: noqa: E501 a product is a line
from dataclasses import dataclass
from decimal import Decimal

from billing_pipeline.samples.csv_text import times
from billing_pipeline.samples.seeds import code

# usage type prefix, region, location, price relative to us-east-1 in percent
_REGIONS = (
    ("EUC1", "eu-central-1", "EU (Frankfurt)", 119),
    ("EU", "eu-west-1", "EU (Ireland)", 108),
)

# product code, product name, family, usage type, operation, unit, price in us-east-1, kind of quantity, kind of resource
_PRODUCTS = """
AmazonEC2|Amazon Elastic Compute Cloud|Compute Instance|BoxUsage:t3.medium|RunInstances|Hrs|0.0416|hours|instance
AmazonEC2|Amazon Elastic Compute Cloud|Compute Instance|BoxUsage:m6i.xlarge|RunInstances|Hrs|0.192|hours|instance
AmazonEC2|Amazon Elastic Compute Cloud|Compute Instance|BoxUsage:c7g.2xlarge|RunInstances:0002|Hrs|0.289|hours|instance
AmazonEC2|Amazon Elastic Compute Cloud|Storage|EBS:VolumeUsage.gp3|CreateVolume-Gp3|GB-Mo|0.08|gb_month|volume
AmazonEC2|Amazon Elastic Compute Cloud|Storage Snapshot|EBS:SnapshotUsage|CreateSnapshot|GB-Mo|0.05|gb_month|snapshot
AmazonEC2|Amazon Elastic Compute Cloud|NAT Gateway|NatGateway-Hours|NatGateway|Hrs|0.045|hours|nat
AmazonEC2|Amazon Elastic Compute Cloud|Data Transfer|DataTransfer-Out-Bytes|RunInstances|GB|0.09|gb|instance
AmazonS3|Amazon Simple Storage Service|Storage|TimedStorage-ByteHrs|StandardStorage|GB-Mo|0.023|gb_month|bucket
AmazonS3|Amazon Simple Storage Service|API Request|Requests-Tier1|PutObject|Requests|0.000005|requests|bucket
AmazonS3|Amazon Simple Storage Service|API Request|Requests-Tier2|GetObject|Requests|0.0000004|requests|bucket
AmazonRDS|Amazon Relational Database Service|Database Instance|InstanceUsage:db.m6g.large|CreateDBInstance:0014|Hrs|0.159|hours|db
AmazonRDS|Amazon Relational Database Service|Database Storage|RDS:GP3-Storage|CreateDBInstance:0014|GB-Mo|0.115|gb_month|db
AWSLambda|AWS Lambda|Serverless|Lambda-GB-Second|Invoke|Lambda-GB-Second|0.0000166667|requests|function
AWSLambda|AWS Lambda|Serverless|Request|Invoke|Requests|0.0000002|requests|function
AmazonCloudWatch|AmazonCloudWatch|Metric|CW:MetricMonitorUsage|MetricStorage|Metrics|0.3|gb_month|
AmazonCloudWatch|AmazonCloudWatch|Data Payload|DataProcessing-Bytes|PutLogEvents|GB|0.5|gb|log
AmazonDynamoDB|Amazon DynamoDB|Amazon DynamoDB PayPerRequest Throughput|ReadRequestUnits|PayPerRequestThroughput|ReadRequestUnits|0.00000025|requests|table
awskms|AWS Key Management Service|API Request|KMS-Requests|Decrypt|Requests|0.000003|requests|key
AmazonECS|Amazon Elastic Container Service|Compute|Fargate-vCPU-Hours:perCPU|FargateTask|hours|0.04048|hours|task
AWSELB|Elastic Load Balancing|Load Balancer|LoadBalancerUsage|LoadBalancing:Application|Hrs|0.0225|hours|balancer
AmazonSNS|Amazon Simple Notification Service|API Request|Requests-Tier1|Publish|Requests|0|requests|topic
AWSQueueService|Amazon Simple Queue Service|API Request|Requests-Tier1|Send|Requests|0|requests|queue
"""


@dataclass(frozen=True)
class AwsProduct:
    """One usage type in one region.

    Attributes:
        rate: list price in EUR for one `unit`; 0 within the free tier.
        public_rate: price without free tier, EUR for one `unit`.
        quantity_kind: see `quantities.quantity`.
        resource_kind: see `resource_names.aws_resource`.
    """

    product_code: str
    product_name: str
    family: str
    usage_type: str
    operation: str
    unit: str
    rate: Decimal
    public_rate: Decimal
    quantity_kind: str
    resource_kind: str
    region: str
    location: str

    @property
    def sku(self) -> str:
        """The 16 characters AWS would give it."""
        return code(f"{self.product_code}/{self.usage_type}/{self.operation}", 16)

    @property
    def description(self) -> str:
        """The text of `lineItem/LineItemDescription`."""
        if not self.rate:
            return f"First 1,000,000 {self.product_name} Requests per month are free"
        return f"${self.rate:f} per {self.unit} - {self.usage_type.split(':')[-1]} - {self.location}"


def aws_products() -> tuple[AwsProduct, ...]:
    """Return every product in every region, always in the same order."""
    found = []
    for line in _PRODUCTS.strip().splitlines():
        product_code, name, family, usage, operation, unit, price, quantity, resource = line.split("|")
        for prefix, region, location, percent in _REGIONS:
            rate = times(Decimal(price), Decimal(percent) / 100, 10).normalize()
            free = Decimal("0.0000004")
            found.append(
                AwsProduct(
                    product_code, name, family, f"{prefix}-{usage}", operation, unit, rate, rate or free, quantity,
                    resource, region, location,
                )
            )  # fmt: skip
    return tuple(found)

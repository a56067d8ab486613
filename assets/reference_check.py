"""The check that says in Dagster which reference set an asset used, when it was not the files as they stand."""

from dagster import AssetCheckResult, AssetCheckSeverity, AssetCheckSpec, MetadataValue

from billing_pipeline.reference import ReferenceSet

REFERENCE_CHECK = "reference_files_are_in_force"


def reference_check_spec(asset: str) -> AssetCheckSpec:
    """Return the declaration of the check; it blocks nothing: the last good set prices."""
    return AssetCheckSpec(
        REFERENCE_CHECK,
        asset=asset,
        description="Fails when the reference files as they stand have problems; the last good set stays in force.",
    )


def reference_check_result(reference: ReferenceSet) -> AssetCheckResult:
    """Return the outcome for the set that an asset used, with every problem of the files."""
    taken_at = "" if reference.taken_at is None else reference.taken_at.isoformat()
    return AssetCheckResult(
        check_name=REFERENCE_CHECK,
        passed=not reference.refused,
        severity=AssetCheckSeverity.WARN,
        metadata={
            "in_force_since": taken_at,
            "problems": MetadataValue.md("\n".join(f"- {problem}" for problem in reference.refused) or "none"),
        },
    )

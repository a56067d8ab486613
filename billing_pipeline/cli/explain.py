"""`billing explain`: from an amount to the charges, the terms and the vendor rows behind it."""

import json

import typer
from rich.text import Text
from rich.tree import Tree

from billing_pipeline.cli.explained_charges import branch, charge_tree
from billing_pipeline.cli.explained_lines import add_charges, document_table, document_title, line_tree
from billing_pipeline.cli.output import OUT, complain
from billing_pipeline.documents.formatting import plain_decimal
from billing_pipeline.explaining.model import Explanation
from billing_pipeline.explaining.structure import structure
from resources.explanations import explain
from resources.workspace import Workspace


def explain_amount(
    workspace: Workspace, identifier: str, line_number: str | None, everything: bool, as_json: bool
) -> bool:
    """Print what stands behind an amount.

    Args:
        everything: whether long lists are printed whole; JSON always has them whole.

    Returns:
        Whether everything agrees: charges with the line, vendor rows with the charges, the arithmetic with the price.
    """
    explanation = explain(workspace, identifier, line_number, everything or as_json)
    if as_json:
        typer.echo(json.dumps(structure(explanation), indent=2, ensure_ascii=False))
    else:
        _show(explanation, everything)
    for problem in explanation.problems:
        complain(f"does not agree: {problem}")
    return not explanation.problems


def _show(explanation: Explanation, everything: bool) -> None:
    document = explanation.document
    if document is not None and explanation.kind == "invoice":
        OUT.print(Text(document_title(document, explanation.lines), style="bold"))
        OUT.print(document_table(document, explanation.lines))
        OUT.print(Text(f"One of them: billing explain {explanation.id}/1"))
    elif document is not None:
        OUT.print(line_tree(document, explanation.lines[0], everything))
    elif len(explanation.charges) == 1 or everything:
        for charge in explanation.charges:
            OUT.print(charge_tree(charge, everything, billed_on=explanation.billed_on))
    elif explanation.kind == "customer_charge":
        OUT.print(_sum_tree(explanation))
    else:
        OUT.print(_invoice_tree(explanation))


def _invoice_tree(explanation: Explanation) -> Tree:
    """Return the items of a distributor's invoice in short."""
    first = explanation.charges[0].item
    title = (
        f"{first['charge_type']} invoice {first['invoice_number']} of {first['invoice_date']}, source {first['source']}"
    )
    tree = Tree(Text(title, style="bold", overflow="fold"))
    branch(tree, f"delivery {first['delivery_id']}")
    node = branch(tree, f"{len(explanation.charges)} items", "bold")
    add_charges(tree, node, explanation.charges)
    branch(tree, f"One of them: billing explain {explanation.id}/{first['line_number']}")
    return tree


def _sum_tree(explanation: Explanation) -> Tree:
    """Return the charges of a feed that are one customer charge in short."""
    first = explanation.charges[0].item
    cost, price = (sum(charge.item[name] for charge in explanation.charges) for name in ("total_cost", "total_sell"))
    title = (
        f"{first['product_name'] or first['product_id']} of {first['billing_period']} for customer"
        f" {first['customer_id']}, source {first['source']}: {plain_decimal(price)} {first['currency']}"
    )
    tree = Tree(Text(title, style="bold", overflow="fold"))
    branch(tree, f"delivery {first['delivery_id']}, invoice {first['invoice_number'] or 'without number'}")
    branch(tree, f"cost {plain_decimal(cost)} {first['currency']}")
    node = branch(tree, f"{len(explanation.charges)} charges", "bold")
    add_charges(tree, node, explanation.charges)
    branch(tree, f"One of them: billing explain {first['charge_id']}")
    return tree

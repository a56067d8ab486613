-- Find the first item of a distributor's file whose header values differ from its invoice's first item.
--
-- Grain: no row when all agree, else the first disagreement by row and column.
-- Keys: row_number.
-- Inputs: converted_rows, canonical rows of one file of distributor invoices.
-- Params: none.
-- Units: values are shown as text, signed amounts as stored.
-- Fails: never.
with

headers as (

    select
        row_number,
        invoice_id,
        [
            {'name': 'invoice_date', 'value': cast(x_invoice_date as varchar)},
            {'name': 'issued_at', 'value': cast(x_issued_at as varchar)},
            {'name': 'type', 'value': x_invoice_type},
            {'name': 'status', 'value': x_invoice_status},
            {'name': 'order_channel', 'value': x_order_channel},
            {'name': 'origin', 'value': x_origin},
            {'name': 'currency', 'value': billing_currency},
            {'name': 'credits_invoice_number', 'value': x_credits_invoice_number},
            {'name': 'net_total', 'value': cast(abs(x_net_total) as varchar)},
            {'name': 'tax_total', 'value': cast(abs(x_tax_total) as varchar)},
        ] as header,
    from converted_rows

),

values_of_rows as (

    select
        row_number,
        invoice_id,
        unnest(header) as cell,
        unnest(range(len(header))) as position,
    from headers

),

compared as (

    select
        row_number,
        invoice_id,
        position,
        cell.name as column_name,
        cell.value as stated_value,
        first_value(cell.value) over (partition by invoice_id, position order by row_number) as first_stated_value,
        first_value(row_number) over (partition by invoice_id, position order by row_number) as first_row,
    from values_of_rows

),

disagreements as (

    select
        row_number,
        column_name,
        stated_value,
        first_stated_value,
        first_row,
        invoice_id,
    from compared
    where stated_value is distinct from first_stated_value
    order by row_number, position
    limit 1

)

select * from disagreements

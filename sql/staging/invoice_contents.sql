-- Hash what each distributor invoice of a file says, so that the same invoice in another file is known again.
--
-- Grain: one row per invoice.
-- Keys: billing_account_id (the invoice number).
-- Inputs: converted_rows, canonical rows of one file of distributor invoices.
-- Params: none.
-- Units: content_sha256 is hexadecimal: of the hashes of all items, whatever their order in the file. An item's hash is
--     of everything the file says of it and of its invoice, and of nothing that says which file or row it came from.
-- Fails: never.
with

items as (

    select
        billing_account_id,
        -- A list in JSON keeps texts apart whatever they hold; decimals and instants are written by their type.
        sha256(cast(to_json([
            invoice_id,
            cast(x_invoice_date as varchar),
            cast(x_issued_at as varchar),
            x_invoice_type,
            x_invoice_status,
            x_order_channel,
            x_origin,
            billing_currency,
            x_credits_invoice_number,
            cast(x_net_total as varchar),
            cast(x_tax_total as varchar),
            x_line_number,
            sub_account_id,
            sub_account_name,
            sku_id,
            service_name,
            x_product_type,
            cast(x_is_pay_per_use as varchar),
            charge_description,
            cast(x_installment_number as varchar),
            cast(x_installment_count as varchar),
            cast(x_start_date as varchar),
            cast(x_end_date as varchar),
            cast(pricing_quantity as varchar),
            pricing_unit,
            cast(x_list_price as varchar),
            cast(x_unit_cost as varchar),
            x_order_id,
            cast(x_ordered_at as varchar),
            x_credits_line_number
        ]) as varchar)) as item_sha256,
    from converted_rows

),

invoices as (

    select
        billing_account_id,
        sha256(string_agg(item_sha256, '' order by item_sha256)) as content_sha256,
    from items
    group by billing_account_id

)

select * from invoices

with large as (

    {{ large_cells(
        ref('transactions_drawn'),
        columns=[
            'row_id', 'merchant_category', 'merchant', 'amount', 'currency', 'country', 'city',
            'card_type', 'transacted_at',
        ],
        quasi=['country', 'city', 'transacted_at'],
        k=var('min_cell_size'),
        steps=[
            {'city': "'Unknown City'"},
            {'transacted_at': "date_trunc('day', transacted_at)"},
            {'transacted_at': "date_trunc('month', transacted_at)"},
        ],
    ) }}

),

final as (

    select
        row_id,
        merchant_category,
        merchant,
        amount,
        currency,
        country,
        city,
        card_type,
        transacted_at
    from large

)

select * from final

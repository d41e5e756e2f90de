with drawn as (

    select * from {{ ref('transactions_drawn') }}

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
    from drawn

)

select * from final

with source as (

    select * from {{ kept_records(source('raw', 'transactions'), ref('transactions_ingested')) }}

),

renamed as (

    select
        -- who and which: none of these goes further than this model
        transaction_id,
        customer_id,
        card_number,
        device_fingerprint,
        ip_address,

        -- what was bought where
        merchant_category,
        merchant_type,
        merchant,
        try_cast(amount as double) as amount,
        currency,
        country,
        city,
        city_size,

        -- how it was paid
        card_type,
        try_cast(card_present as boolean) as is_card_present,
        device,
        channel,

        -- when
        try_cast(timestamp as timestamptz) at time zone 'UTC' as transacted_at,
        try_cast(transaction_hour as tinyint) as transaction_hour,
        try_cast(weekend_transaction as boolean) as is_weekend,

        -- what was concluded
        try_cast(distance_from_home as tinyint) as distance_from_home,
        try_cast(high_risk_merchant as boolean) as is_high_risk_merchant,
        velocity_last_hour,
        try_cast(is_fraud as boolean) as is_fraud

    from source

),

final as (

    select * from renamed

)

select * from final

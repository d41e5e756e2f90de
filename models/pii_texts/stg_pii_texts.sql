with source as (

    select * from {{ kept_records(source('raw', 'pii_texts'), ref('pii_texts_ingested')) }}

),

renamed as (

    select
        text_id,
        text,
        label

    from source

),

final as (

    select * from renamed

)

select * from final

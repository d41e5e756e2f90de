with source as (

    select * from {{ kept_records(source('raw', 'canaries'), ref('canaries_ingested')) }}

),

renamed as (

    select
        chat_id,
        question,
        answer

    from source

),

final as (

    select * from renamed

)

select * from final

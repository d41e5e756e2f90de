with source as (

    select * from {{ kept_records(source('raw', 'legal'), ref('legal_ingested')) }}

),

renamed as (

    select
        case_id,
        case_outcome,
        case_title,
        nullif(case_text, '') as case_text

    from source

),

final as (

    select * from renamed

)

select * from final

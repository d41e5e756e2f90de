with drawn as (

    select * from {{ ref('pii_texts_drawn') }}

),

final as (

    select
        row_id,
        label,
        text
    from drawn

)

select * from final

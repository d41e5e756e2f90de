with drawn as (

    select * from {{ ref('canaries_drawn') }}

),

final as (

    select
        row_id,
        answer,
        question
    from drawn

)

select * from final

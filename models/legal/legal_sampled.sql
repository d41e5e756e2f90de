with drawn as (

    select * from {{ ref('legal_drawn') }}

),

final as (

    select
        row_id,
        case_outcome,
        case_title,
        -- a question needs one, and two cases of the real file have none
        coalesce(case_text, '(no text)') as case_text,
        classes
    from drawn

)

select * from final

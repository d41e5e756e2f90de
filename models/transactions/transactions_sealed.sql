with examples as (

    select * from {{ ref('transactions_examples') }}

),

verdict as (

    select bool_and(is_success) as has_passed from {{ ref('transactions_checked') }}

),

final as (

    select
        examples.split,
        row_number() over (
            partition by examples.split order by examples.example_id
        ) as line_number,
        examples.n_tokens,
        {{ jsonl_line('examples.messages') }} as line
    from examples
    inner join verdict on verdict.has_passed

)

select
    split,
    line_number,
    n_tokens,
    line
from final

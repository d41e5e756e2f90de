-- the hooks seal these lines only if this model passed them: depends_on {{ ref('transactions_checked') }}
with examples as (

    select * from {{ ref('transactions_examples') }}

),

final as (

    select
        split,
        row_number() over (partition by split order by example_id) as line_number,
        n_tokens,
        {{ jsonl_line('messages') }} as line
    from examples

)

select
    split,
    line_number,
    n_tokens,
    line
from final

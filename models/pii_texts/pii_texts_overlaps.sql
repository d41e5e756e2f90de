with final as (

    {{ real_value_overlaps(ref('pii_texts_examples'), dataset='pii_texts') }}

)

select
    dataset,
    column_name,
    n_values,
    n_too_short,
    n_found
from final

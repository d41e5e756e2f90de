with settings as (

    {{ sealed_settings('evaluate') }}

)

select
    dataset,
    job,
    evaluate
from settings

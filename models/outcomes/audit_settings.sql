with settings as (

    {{ sealed_settings('audit') }}

)

select
    dataset,
    job,
    audit
from settings

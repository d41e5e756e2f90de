{% test no_prompt_in_two_splits(model) %}
    {#- Fails with a row per prompt (everything before the last message) that stands in two splits. -#}
    select prompt_hash
    from (
        select
            split,
            md5((messages::json[])[:-2]::varchar) as prompt_hash
        from {{ model }}
    )
    group by all
    having count(distinct split) > 1
{% endtest %}

{% test no_prompt_in_two_splits(model) %}
    {#- Fails with a row per prompt (everything before the last message) that stands in two splits. -#}
    select fingerprint_of_prompt
    from (
        select
            split,
            md5(json_extract(messages, '$[0:' || (json_array_length(messages) - 2) || ']')::varchar)
                as fingerprint_of_prompt
        from {{ model }}
    )
    group by all
    having count(distinct split) > 1
{% endtest %}

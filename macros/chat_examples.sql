{% macro chat_examples(scrubbed, dataset, feedback=none, validation_share=var('validation_share')) -%}
    {#- One row per distinct conversation of a scrubbed relation, with the corrections of people in.

        An example is called after the conversation that its rows have: a corrected one keeps its id, so
        that a later correction means the same. The split is decided by a keyed hash of the prompt, not of
        the row: the same question never stands in both splits, whatever its answers, and an example keeps
        its split when others come and go. Conversations that agree in every word become one. -#}
    {%- set messages -%}
        list_filter(
            [
                {'role': 'system', 'content': system_text},
                {'role': 'user', 'content': user_text},
                {'role': 'assistant', 'content': assistant_text}
            ],
            lambda message: message.content is not null
        )::json::varchar
    {%- endset %}
    {%- set columns = 'label, system_text, user_text, assistant_text' ~ (', policy_hash' if feedback is not none else '') -%}
    with named as (

        select
            keyed_hmac('{{ dataset }}.example', {{ messages }})[:32] as example_id,
            {{ columns }}
        from (select distinct {{ columns }} from {{ scrubbed }})

    ),

    corrected as (

        {%- if feedback is none %}
        select * from named
        {%- else %}
        select
            named.example_id,
            {#- a weaker policy than that of the rows must not come in by a correction -#}
            case
                when corrections.policy_hash <> named.policy_hash
                then error('corrections of {{ dataset }} were scrubbed by another policy than its rows: build {{ dataset }}_feedback too')
                else coalesce(corrections.label, named.label)
            end as label,
            named.system_text,
            named.user_text,
            coalesce(corrections.assistant_text, named.assistant_text) as assistant_text
        from named
        left join {{ feedback }} as corrections
            on named.example_id = corrections.example_id and corrections.outcome = 'merged'
        {%- endif %}

    )

    select
        min(example_id) as example_id,
        any_value(
            case
                when
                    ('0x' || keyed_hmac('{{ dataset }}.split', prompt)[:8])::bigint
                    < {{ validation_share }} * 4294967296
                then 'validation'
                else 'train'
            end
        ) as split,
        label,
        messages,
        {#- 3 tokens a message and 3 for the answer to come: the count of chat formats -#}
        any_value(n_text_tokens + 3 * n_messages + 3) as n_tokens,
        keyed_hmac('{{ dataset }}.line', {{ jsonl_line('messages') }}) as fingerprint
    from (
        select
            example_id,
            label,
            json_array(coalesce(system_text, ''), user_text)::varchar as prompt,
            {{ messages }} as messages,
            2 + (system_text is not null)::integer as n_messages,
            {{ estimate_tokens("concat_ws(' ', system_text, user_text, assistant_text)") }}
                as n_text_tokens
        from corrected
    )
    group by label, messages
{%- endmacro %}

{% macro chat_examples(scrubbed, dataset, validation_share=var('validation_share')) -%}
    {#- One row per distinct conversation of a scrubbed relation.

        The split is decided by a keyed hash of the prompt, not of the row: the same question never
        stands in both splits, whatever its answers, and an example keeps its split when others come
        and go. Conversations that agree in every word become one. -#}
    select
        keyed_hmac('{{ dataset }}.example', messages)[:32] as example_id,
        case
            when
                ('0x' || keyed_hmac('{{ dataset }}.split', prompt)[:8])::bigint
                < {{ validation_share }} * 4294967296
            then 'validation'
            else 'train'
        end as split,
        label,
        messages,
        {#- 3 tokens a message and 3 for the answer to come: the count of chat formats -#}
        n_text_tokens + 3 * n_messages + 3 as n_tokens,
        keyed_hmac('{{ dataset }}.line', {{ jsonl_line('messages') }}) as fingerprint
    from (
        select distinct
            label,
            json_array(coalesce(system_text, ''), user_text)::varchar as prompt,
            list_filter(
                [
                    {'role': 'system', 'content': system_text},
                    {'role': 'user', 'content': user_text},
                    {'role': 'assistant', 'content': assistant_text}
                ],
                lambda message: message.content is not null
            )::json::varchar as messages,
            2 + (system_text is not null)::integer as n_messages,
            {{ estimate_tokens("concat_ws(' ', system_text, user_text, assistant_text)") }}
                as n_text_tokens
        from {{ scrubbed }}
    )
{%- endmacro %}

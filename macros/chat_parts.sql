{% macro chat_parts(messages) -%}
    {#- Columns system_text, user_text and assistant_text of a chat that is JSON text: a list of role and
        content. The answer is the last message, null where that is not the assistant's; the question is
        all between, with the roles before them where it is more than one message. -#}
    case when {{ _chat(messages) }}[1].role in ('system', 'developer') then {{ _chat(messages) }}[1].content end
        as system_text,
    list_filter({{ _chat(messages) }}[:-2], lambda message: message.role not in ('system', 'developer'))
        as asked,
    case
        when len(asked) = 1 then asked[1].content
        else array_to_string(
            list_transform(asked, lambda message: message.role || ': ' || message.content), chr(10) || chr(10)
        )
    end as user_text,
    case when {{ _chat(messages) }}[-1].role = 'assistant' then {{ _chat(messages) }}[-1].content end
        as assistant_text
{%- endmacro %}

{% macro _chat(messages) -%}
    from_json({{ messages }}, '[{"role": "VARCHAR", "content": "VARCHAR"}]')
{%- endmacro %}

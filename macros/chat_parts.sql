{% macro chat_parts(messages) -%}
    {#- Columns system_text, user_text and assistant_text of a chat that is JSON text: a list of role and
        content. The answer is the last message, null where that is not the assistant's; the question is
        all between, with the roles before them where it is more than one message. -#}
    {%- set chat = "from_json(" ~ messages ~ ", '[{\"role\": \"VARCHAR\", \"content\": \"VARCHAR\"}]')" %}
    case when {{ chat }}[1].role in ('system', 'developer') then {{ chat }}[1].content end
        as system_text,
    list_filter({{ chat }}[:-2], lambda message: message.role not in ('system', 'developer'))
        as asked,
    case
        when len(asked) = 1 then asked[1].content
        else array_to_string(
            list_transform(asked, lambda message: message.role || ': ' || message.content), chr(10) || chr(10)
        )
    end as user_text,
    case when {{ chat }}[-1].role = 'assistant' then {{ chat }}[-1].content end
        as assistant_text
{%- endmacro %}

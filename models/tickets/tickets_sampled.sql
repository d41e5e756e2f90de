with drawn as (

    select * from {{ ref('tickets_drawn') }}

),

final as (

    select
        row_id,
        ticket_type,
        ticket_subject,
        product_purchased,
        ticket_channel,
        -- the placeholder of the form that tickets are written in, where nobody filled it in
        replace(ticket_description, '{product_purchased}', product_purchased) as ticket_description,
        coalesce(resolution, 'not resolved yet') as resolution,
        customer_name,
        customer_email
    from drawn

)

select * from final
